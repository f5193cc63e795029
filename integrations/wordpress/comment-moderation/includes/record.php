<?php
/**
 * What this plugin knows of a comment, in two rows of comment meta, and the comment in the service's form.
 *
 * The record has: `id` and `revision` at the service, `hash` of the text it has, `wordpress` (what WordPress would
 * have done: 0 or 1), `trapped` (the hidden field of the form was filled), `fallback` (Unix time when that was done),
 * `status`, `source`, `reasons` and `decided_at` of the decision that stands, `events` (ids of those handled), `ruling`
 * (of a moderator here, not told yet), `error`, `answers` (what became of reports and appeals, by their ids at the
 * service) and `letters` (ids of the events that somebody was written about).
 *
 * The other row says what is to be done: `send` it, tell a `change`, or `wait` for a decision; no row: nothing.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

const RECORD = '_comment_moderation';
const TODO   = '_comment_moderation_todo';

/**
 * The record of a comment as it stands in the database; empty for a comment that never had to do with the service.
 *
 * @param int $comment_id The comment.
 */
function record( int $comment_id ): array {
	$record = fresh( $comment_id, RECORD );
	return is_array( $record ) ? $record : array();
}

/**
 * Comment meta as it stands in the database: another request, a webhook, may have written since this one read.
 *
 * @param int    $comment_id The comment.
 * @param string $key        Which.
 * @return mixed
 */
function fresh( int $comment_id, string $key ) {
	wp_cache_delete( $comment_id, 'comment_meta' );
	return get_comment_meta( $comment_id, $key, true );
}

/**
 * Changes some fields of a record; null removes a field.
 *
 * @param int   $comment_id The comment.
 * @param array $changes    By name.
 */
function keep( int $comment_id, array $changes ): void {
	$changed = without_nulls( array_merge( record( $comment_id ), $changes ) );
	update_comment_meta( $comment_id, RECORD, wp_slash( $changed ) );
}

/**
 * Does something while no other request does anything of the kind to this comment: a webhook and a moderator may meet.
 *
 * @param int      $comment_id The comment.
 * @param callable $work       What to do.
 * @return mixed What it returns.
 */
function alone( int $comment_id, callable $work ) {
	global $wpdb;
	$name = 'comment_moderation_' . md5( DB_NAME . $wpdb->prefix . $comment_id );
	// phpcs:disable WordPress.DB.DirectDatabaseQuery -- a lock of the database, which ends with the connection.
	$wpdb->get_var( $wpdb->prepare( 'SELECT GET_LOCK(%s, %d)', $name, ANSWER_SECONDS ) );
	wp_cache_delete( $comment_id, 'comment' );
	try {
		return $work();
	} finally {
		$wpdb->get_var( $wpdb->prepare( 'SELECT RELEASE_LOCK(%s)', $name ) );
	}
	// phpcs:enable
}

/**
 * What is to be done for a comment.
 *
 * @param int $comment_id The comment.
 */
function todo( int $comment_id ): string {
	return (string) fresh( $comment_id, TODO );
}

/**
 * Notes what is to be done; an empty string: nothing.
 *
 * @param int    $comment_id The comment.
 * @param string $what       Either send, change or wait.
 */
function set_todo( int $comment_id, string $what ): void {
	if ( '' === $what ) {
		delete_comment_meta( $comment_id, TODO );
	} else {
		update_comment_meta( $comment_id, TODO, $what );
	}
}

/**
 * The comments for which this is to be done, oldest first.
 *
 * @param string $what  Either send, change or wait.
 * @param int    $limit At most so many.
 * @return int[]
 */
function comments_to( string $what, int $limit ): array {
	global $wpdb;
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- by meta value alone, whatever the comment's status.
	$ids = $wpdb->get_col(
		$wpdb->prepare(
			"SELECT comment_id FROM {$wpdb->commentmeta} WHERE meta_key = %s AND meta_value = %s ORDER BY comment_id LIMIT %d",
			TODO,
			$what,
			$limit
		)
	);
	return array_map( 'intval', $ids );
}

/**
 * The comment's name at the service.
 *
 * @param int $comment_id The comment.
 */
function external_id( int $comment_id ): string {
	return sprintf( 'wp-%d-%d', get_current_blog_id(), $comment_id );
}

/**
 * The comment with this name at the service, or null when it is none of this blog.
 *
 * @param string $external_id Such as wp-1-17.
 */
function comment_named( string $external_id ): ?\WP_Comment {
	if ( ! preg_match( '/^wp-(\d{1,9})-(\d{1,18})$/', $external_id, $parts ) ) {
		return null;
	}
	return (int) get_current_blog_id() === (int) $parts[1] ? get_comment( (int) $parts[2] ) : null;
}

/**
 * Whether this plugin has to do with comments of this type. Pingbacks and trackbacks are left to WordPress.
 *
 * @param string $type The comment's type.
 */
function is_ours( string $type ): bool {
	/**
	 * Filters the types of comments that are sent.
	 *
	 * @param string[] $types Names of types.
	 */
	return in_array( '' === $type ? 'comment' : $type, (array) apply_filters( 'comment_moderation_types', array( 'comment' ) ), true );
}

/**
 * A fingerprint of the text that the service has.
 *
 * @param \WP_Comment $comment The comment.
 */
function text_hash( \WP_Comment $comment ): string {
	return hash( 'sha256', $comment->comment_content );
}

/**
 * The comment as POST /v1/comments takes it.
 *
 * @param \WP_Comment $comment The comment.
 */
function payload( \WP_Comment $comment ): array {
	$id = (int) $comment->comment_ID;
	return without_nulls(
		array(
			'external_id'        => external_id( $id ),
			'body'               => $comment->comment_content,
			'format'             => 'html',
			'author'             => author_of( $comment ),
			'article'            => article_of( (int) $comment->comment_post_ID ),
			'parent_external_id' => $comment->comment_parent ? external_id( (int) $comment->comment_parent ) : null,
			'ip'                 => filled( $comment->comment_author_IP ),
			'user_agent'         => filled( $comment->comment_agent ),
			'created_at'         => utc( $comment->comment_date_gmt ),
			'honeypot'           => empty( record( $id )['trapped'] ) ? null : 'filled',
		)
	);
}

/**
 * Who wrote it. A reader without e-mail address (where the blog allows that) is a new person each time.
 *
 * @param \WP_Comment $comment The comment.
 */
function author_of( \WP_Comment $comment ): array {
	$email = is_email( $comment->comment_author_email ) ? $comment->comment_author_email : null;
	$id    = $comment->user_id ? 'wp-user-' . $comment->user_id : null;
	if ( null === $email && null === $id ) {
		$id = 'wp-comment-' . $comment->comment_ID;
	}
	return without_nulls(
		array(
			'name'  => filled( cut( plain( $comment->comment_author ), 200 ) ) ?? __( 'Anonymous', 'comment-moderation' ),
			'email' => $email,
			'url'   => filled( $comment->comment_author_url ),
			'id'    => $id,
		)
	);
}

/**
 * What it is about: address, title, excerpt, first category, date.
 *
 * @param int $post_id The post.
 */
function article_of( int $post_id ): array {
	$post       = get_post( $post_id );
	$categories = get_the_category( $post_id );
	return without_nulls(
		array(
			'url'          => get_permalink( $post_id ) ? get_permalink( $post_id ) : home_url( '/?p=' . $post_id ),
			'title'        => $post ? filled( cut( plain( $post->post_title ), 500 ) ) : null,
			'lead'         => $post ? filled( cut( plain( $post->post_excerpt ), 2000 ) ) : null,
			'section'      => $categories ? filled( cut( plain( $categories[0]->name ), 200 ) ) : null,
			'published_at' => $post ? utc( $post->post_date_gmt ) : null,
		)
	);
}

/**
 * A time of the database in ISO 8601, or null for one that was never set.
 *
 * @param string $mysql In UTC.
 */
function utc( string $mysql ): ?string {
	$time = strtotime( $mysql . ' UTC' );
	return false === $time || $time <= 0 ? null : gmdate( 'Y-m-d\TH:i:s\Z', $time );
}

/**
 * A text without markup and entities.
 *
 * @param string $text As stored.
 */
function plain( string $text ): string {
	return trim( wp_strip_all_tags( html_entity_decode( $text, ENT_QUOTES, 'UTF-8' ) ) );
}

/**
 * The first characters of a text.
 *
 * @param string $text   The text.
 * @param int    $length How many.
 */
function cut( string $text, int $length ): string {
	return mb_substr( $text, 0, $length, 'UTF-8' );
}

/**
 * The text, or null for an empty one.
 *
 * @param string $text The text.
 */
function filled( string $text ): ?string {
	return '' === trim( $text ) ? null : $text;
}

/**
 * The same without what is null.
 *
 * @param array $values By name.
 */
function without_nulls( array $values ): array {
	return array_filter(
		$values,
		static function ( $value ) {
			return null !== $value;
		}
	);
}
