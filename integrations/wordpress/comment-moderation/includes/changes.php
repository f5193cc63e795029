<?php
/**
 * What moderators and authors do in WordPress, told to the service: rulings, edits, deletions. Each is noted first and
 * told when the page has been sent, in three seconds at most; cron tells what is left.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

const WITHDRAWAL = 'comment_moderation_withdraw_';
const ACTIONS    = array(
	'approved'   => 'approve',
	'unapproved' => 'hold',
	'spam'       => 'reject',
	'trash'      => 'reject',
);

add_action( 'transition_comment_status', __NAMESPACE__ . '\\note_ruling', 10, 3 );
add_action( 'edit_comment', __NAMESPACE__ . '\\note_edit', 10, 1 );
add_action( 'delete_comment', __NAMESPACE__ . '\\note_deletion', 10, 1 );
add_action( 'shutdown', __NAMESPACE__ . '\\tell_noted', 100 );

/**
 * The comments changed in this request.
 *
 * @param int|null $comment_id To add one.
 * @return int[]
 */
function noted( ?int $comment_id = null ): array {
	static $ids = array();
	if ( null !== $comment_id ) {
		$ids[ $comment_id ] = $comment_id;
	}
	return array_values( $ids );
}

/**
 * Notes a status that somebody here, or another plugin, gave to a comment. What the service itself caused is no news.
 *
 * @param string      $new_status Now.
 * @param string      $old_status Before.
 * @param \WP_Comment $comment    The comment.
 */
function note_ruling( $new_status, $old_status, $comment ): void {
	$id     = (int) $comment->comment_ID;
	$action = ACTIONS[ $new_status ] ?? '';
	$was    = ACTIONS[ $old_status ] ?? '';
	if ( '' !== $action && $action !== $was && status_given( $id ) !== $new_status ) {
		note_change( $id, $action );
	}
}

/**
 * Notes a new text. Staff edit with the comment before them, so the status that they leave it in is their ruling;
 * when the author edits, it must be decided anew and is hidden until then.
 *
 * @param int $comment_id The comment.
 */
function note_edit( $comment_id ): void {
	$id      = (int) $comment_id;
	$comment = get_comment( $id );
	$record  = record( $id );
	if ( ! $comment || ! $record || text_hash( $comment ) === ( $record['hash'] ?? '' ) ) {
		return;
	}
	if ( current_user_can( 'edit_comment', $id ) || wp_doing_cron() || ( defined( 'WP_CLI' ) && WP_CLI ) ) {
		note_change( $id, ACTIONS[ wp_get_comment_status( $id ) ] ?? null );
	} else {
		set_status( $id, 'held' );
		note_change( $id, null );
	}
}

/**
 * Notes that there is something to tell of a comment that the service has or is to get.
 *
 * @param int         $id     The comment.
 * @param string|null $action The ruling, if there is one.
 */
function note_change( int $id, ?string $action ): void {
	$changed = alone(
		$id,
		static function () use ( $id, $action ) {
			$unsent = 'send' === todo( $id );
			if ( ! $unsent && ! isset( record( $id )['id'] ) ) {
				return false;
			}
			if ( null !== $action ) {
				keep( $id, array( 'ruling' => ruling( $action ) ) );
			}
			if ( ! $unsent ) {
				set_todo( $id, 'change' );
			}
			return ! $unsent;
		}
	);
	if ( $changed ) {
		noted( $id );
	}
}

/**
 * A ruling of whoever makes this request.
 *
 * @param string $action Either approve, hold or reject.
 */
function ruling( string $action ): array {
	$user = wp_get_current_user();
	return array(
		'action' => $action,
		'by'     => $user->exists() ? cut( $user->display_name, 200 ) : 'WordPress',
	);
}

/**
 * Notes a deletion apart from the comment, which is about to go with all that is kept with it.
 *
 * @param int $comment_id The comment.
 */
function note_deletion( $comment_id ): void {
	$id     = (int) $comment_id;
	$record = record( $id );
	if ( isset( $record['id'] ) || 'send' === todo( $id ) ) {
		add_option( WITHDRAWAL . external_id( $id ), $record['id'] ?? '', '', false );
		catch_up_at( time() );
	}
}

/**
 * Tells what was noted in this request.
 */
function tell_noted(): void {
	$end = time() + ANSWER_SECONDS;
	foreach ( noted() as $id ) {
		if ( ! is_configured() || is_resting() || time() >= $end || ! tell( $id ) ) {
			catch_up_at( max( time(), health()['rest_until'] ) );
			return;
		}
	}
}

/**
 * Tells the service of one comment's new text and ruling. False when it could not be reached.
 *
 * @param int $id The comment.
 */
function tell( int $id ): bool {
	$comment = get_comment( $id );
	$record  = record( $id );
	if ( ! $comment || 'change' !== todo( $id ) ) {
		return true;
	}
	$path = '/v1/comments/' . rawurlencode( (string) $record['id'] );
	if ( text_hash( $comment ) !== ( $record['hash'] ?? '' ) ) {
		$answer = call_service( 'PUT', $path, array( 'body' => $comment->comment_content ) );
		if ( ! taken( $id, $answer ) ) {
			return '' === $answer['error'];
		}
		keep(
			$id,
			array(
				'hash'     => text_hash( $comment ),
				'revision' => (int) $answer['body']['revision'],
			)
		);
	}
	return tell_ruling( $id, $path );
}

/**
 * Tells the ruling, if there is one; without one the service decides on the new text.
 *
 * @param int    $id   The comment.
 * @param string $path Of the comment at the service.
 */
function tell_ruling( int $id, string $path ): bool {
	$ruling = record( $id )['ruling'] ?? null;
	if ( null === $ruling ) {
		if ( 'change' === todo( $id ) ) { // Else a webhook has brought the decision already.
			set_todo( $id, 'wait' );
		}
		return true;
	}
	$answer = call_service( 'POST', $path . '/site-decision', $ruling );
	if ( ! taken( $id, $answer ) ) {
		return '' === $answer['error'];
	}
	return alone(
		$id,
		static function () use ( $id, $ruling, $answer ) {
			return note_told( $id, $ruling, $answer['body'] );
		}
	);
}

/**
 * Notes that a ruling was told. Should a decision of the service have met it here, the ruling is the newer one.
 *
 * @param int   $id     The comment.
 * @param array $ruling That was told.
 * @param array $view   The comment as the service shows it now.
 */
function note_told( int $id, array $ruling, array $view ): bool {
	if ( ( record( $id )['ruling'] ?? null ) !== $ruling ) {
		return true; // There is a newer one, which is still to be told.
	}
	keep(
		$id,
		array(
			'ruling'     => null,
			'fallback'   => null,
			'error'      => null,
			'reasons'    => null,
			'status'     => (string) $view['status'],
			'source'     => 'site',
			'decided_at' => (string) $view['decision']['decided_at'],
		)
	);
	set_todo( $id, '' );
	set_status( $id, (string) $view['status'] );
	return true;
}

/**
 * Whether the service took a change. One that it never will take (the comment is unknown there, withdrawn, or too
 * long) is noted and not tried again; a comment whose new text it does not take is held for a person.
 *
 * @param int   $id     The comment.
 * @param array $answer Of call_service.
 */
function taken( int $id, array $answer ): bool {
	if ( ! went_well( $answer ) ) {
		return false;
	}
	if ( in_array( $answer['status'], array( 200, 202 ), true ) ) {
		return true;
	}
	keep(
		$id,
		array(
			'ruling' => null,
			'error'  => (string) ( $answer['body']['code'] ?? $answer['status'] ),
		)
	);
	set_todo( $id, '' );
	return false;
}
