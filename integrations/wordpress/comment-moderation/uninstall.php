<?php
/**
 * Removes what this plugin kept: options, what it noted with comments, and its cron events. Comments stay as they are.
 *
 * @package Comment_Moderation
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

/**
 * Removes all of one blog.
 */
function comment_moderation_remove(): void {
	global $wpdb;
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- options by the beginning of their name.
	$names = $wpdb->get_col( $wpdb->prepare( "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE %s", $wpdb->esc_like( 'comment_moderation_' ) . '%' ) );
	array_map( 'delete_option', $names );
	delete_metadata( 'comment', 0, '_comment_moderation', '', true );
	delete_metadata( 'comment', 0, '_comment_moderation_todo', '', true );
	wp_clear_scheduled_hook( 'comment_moderation_catch_up' );
	wp_clear_scheduled_hook( 'comment_moderation_catch_up_soon' );
}

if ( is_multisite() ) {
	$comment_moderation_blogs = get_sites(
		array(
			'fields' => 'ids',
			'number' => 0,
		)
	);
	foreach ( $comment_moderation_blogs as $comment_moderation_blog ) {
		switch_to_blog( $comment_moderation_blog );
		comment_moderation_remove();
		restore_current_blog();
	}
} else {
	comment_moderation_remove();
}
